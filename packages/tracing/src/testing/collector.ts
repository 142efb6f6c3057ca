import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import protobuf from 'protobufjs'

/** What of OTLP's trace messages is looked at, with the numbers of its published definition. */
const { root } = protobuf.parse(
  `syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    fixed64 start_nanos = 7; fixed64 end_nanos = 8; repeated KeyValue attributes = 9; Status status = 15;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string text = 1; bool flag = 2; int64 number = 3; double real = 4; } }`,
)
const Request = root.lookupType('Request')

interface Pairs {
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, string | number>> }[]
}

interface Message {
  readonly resourceSpans: readonly {
    readonly resource: Pairs
    readonly scopeSpans: readonly { readonly spans: readonly RawSpan[] }[]
  }[]
}

interface RawSpan extends Pairs {
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startNanos: string
  readonly endNanos: string
  readonly status?: { readonly message?: string; readonly code?: number }
}

export interface ReceivedSpan {
  readonly name: string
  readonly id: string
  readonly parentId: string | undefined
  readonly ms: number
  readonly attributes: Readonly<Record<string, string | number>>
  readonly error: string | undefined
}

/** Takes traces as a collector does: protobuf over HTTP. */
export class Collector implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = []
  resource: Readonly<Record<string, string | number>> = {}
  private readonly server = createServer(async (request, response) => {
    this.take(await buffer(request))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })

  static async start(): Promise<Collector> {
    const collector = new Collector()
    collector.server.listen(0, '127.0.0.1')
    await once(collector.server, 'listening')
    return collector
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}` // it listens on TCP
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    this.server.close()
    await once(this.server, 'close')
  }

  private take(body: Buffer): void {
    const plain = Request.toObject(Request.decode(body), { bytes: String, longs: String })
    for (const { resource, scopeSpans } of (plain as Message).resourceSpans) {
      this.resource = valuesOf(resource)
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans.map(received)))
    }
  }
}

function received(span: RawSpan): ReceivedSpan {
  return {
    name: span.name,
    id: span.spanId,
    parentId: span.parentSpanId === '' ? undefined : span.parentSpanId,
    ms: Number(BigInt(span.endNanos) - BigInt(span.startNanos)) / 1e6,
    attributes: valuesOf(span),
    error: span.status?.code === 2 ? span.status.message : undefined,
  }
}

function valuesOf({ attributes = [] }: Pairs): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]!]))
}
