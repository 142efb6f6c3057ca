/** A request that is not answered with rows, as RFC 9457 words it. */
export class Problem extends Error {
  readonly status: number
  readonly title: string
  /** The query parameter that is wrong. */
  readonly parameter: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    title: string,
    detail: string,
    { parameter, headers = {} }: { parameter?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail)
    this.status = status
    this.title = title
    this.parameter = parameter
    this.headers = headers
  }

  get body(): string {
    const { status, title, message: detail, parameter } = this
    return `${JSON.stringify({ type: 'about:blank', title, status, detail, parameter })}\n`
  }
}

/** A parameter that cannot be used. */
export function badParameter(parameter: string, detail: string): Problem {
  return new Problem(400, 'A parameter cannot be used', `${parameter}: ${detail}`, { parameter })
}
