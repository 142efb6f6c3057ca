import { el, setText, show } from './dom.js'

/** Something that is wrong: what, since when, and what to do. */
export interface Wrong {
  readonly title: string
  readonly message: string
  readonly hint: string | null
}

/** A box for it, which is gone where nothing is wrong. */
export class Trouble {
  readonly element: HTMLElement
  private readonly title = el('p', { class: 'trouble-title' })
  private readonly message = el('p', { class: 'trouble-message' })
  private readonly hint = el('p', { class: 'trouble-hint' })

  constructor(kind: 'failing' | 'late') {
    this.element = el('div', { class: 'trouble', 'data-kind': kind }, this.title, this.message, this.hint)
    show(this.element, false)
  }

  set(wrong: Wrong | null): void {
    if (wrong !== null) {
      setText(this.title, wrong.title)
      setText(this.message, wrong.message)
      setText(this.hint, wrong.hint ?? '')
      show(this.hint, wrong.hint !== null)
    }
    show(this.element, wrong !== null)
  }
}
