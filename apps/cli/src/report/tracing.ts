import type { OnEvent } from '@archiver/core/engine'
import { version } from '../version.js'
import type { Reporter } from './reporter.js'

/** What hears of the engine's events, and has something to send at the end. */
export interface Listener extends AsyncDisposable {
  readonly onEvent: OnEvent
}

/**
 * The reporter, and traces as well where OpenTelemetry's variables say where they go. Otherwise none of it is loaded.
 */
export async function withTracing(reporter: Reporter, env: NodeJS.ProcessEnv = process.env): Promise<Listener> {
  const { onEvent } = reporter
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (!endpoint || env.OTEL_SDK_DISABLED === 'true') return { onEvent, [Symbol.asyncDispose]: async () => undefined }
  const { startTracing } = await import('@archiver/tracing')
  const tracing = startTracing({ version: version(), warn: (text) => reporter.warn(text) })
  return {
    onEvent: (event) => {
      onEvent(event)
      tracing.onEvent(event)
    },
    [Symbol.asyncDispose]: () => tracing[Symbol.asyncDispose](),
  }
}
