import { el, setText, show } from './dom.js'

/** Named lines of a card; one without a text is hidden. */
export class Facts {
  readonly element = el('dl', { class: 'facts' })
  private readonly lines = new Map<string, { readonly box: HTMLElement; readonly value: HTMLElement }>()

  set(name: string, text: string | null): void {
    const { box, value } = this.lines.get(name) ?? this.add(name)
    if (text !== null) setText(value, text)
    show(box, text !== null)
  }

  /** Nothing is known any more. */
  clear(): void {
    for (const { box } of this.lines.values()) show(box, false)
  }

  private add(name: string) {
    const value = el('dd')
    const box = el('div', {}, el('dt', {}, name), value)
    this.element.append(box)
    const line = { box, value }
    this.lines.set(name, line)
    return line
  }
}
