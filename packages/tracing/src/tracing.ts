import { setTimeout as delay } from 'node:timers/promises'
import { errorText } from '@archiver/core'
import type { OnEvent } from '@archiver/core/engine'
import { DiagLogLevel, diag } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  hostDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { BatchSpans } from './batch-spans.js'

export interface TracingOptions {
  /** Of the program. */
  readonly version: string
  /** Told once, when spans cannot be delivered: archiving goes on without them. */
  readonly warn: (text: string) => void
}

/** At the end a collector that does not answer is waited for no longer: a stop has to be quick. */
const LAST_WAIT_MS = 2_000

/** Turns what the engine reports into traces. */
export interface Tracing extends AsyncDisposable {
  readonly onEvent: OnEvent
  /** Sends what is left; gives up after two seconds. Never rejects. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Sends a trace of each batch to the collector that OpenTelemetry's variables name (`OTEL_EXPORTER_OTLP_ENDPOINT`,
 * `…_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and the like, as its specification words them; the environment
 * is `DEPLOYMENT_MODE` where `OTEL_RESOURCE_ATTRIBUTES` names none), in
 * protobuf over HTTP. Spans wait in memory, 2,048 at most, and are sent every few seconds.
 */
export function startTracing({ version, warn }: TracingOptions): Tracing {
  const undelivered = once((why) => warn(`traces cannot be delivered (OTEL_EXPORTER_OTLP_ENDPOINT): ${why}`))
  listenTo(undelivered)
  const provider = new TracerProvider({
    resource: resourceOf(version),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  })
  const spans = new BatchSpans(provider.getTracer('archiver', version))
  return {
    onEvent: (event) => spans.take(event),
    [Symbol.asyncDispose]: async () => {
      const flushed = provider.shutdown().catch((error: unknown) => undelivered(errorText(error)))
      await Promise.race([flushed, delay(LAST_WAIT_MS, undefined, { ref: false })])
      diag.disable()
    },
  }
}

function resourceOf(version: string) {
  const detectors = [hostDetector, resourceAttributesEnvDetector, serviceNameEnvDetector]
  const ours = resourceFromAttributes({
    'service.name': 'ntppool-archiver',
    'service.version': version,
    ...environmentOf(process.env),
  })
  return defaultResource().merge(ours).merge(detectResources({ detectors }))
}

/** `DEPLOYMENT_MODE` is what the pool's programs are told of where they run; under the names of both conventions. */
function environmentOf({
  DEPLOYMENT_MODE: mode,
  OTEL_RESOURCE_ATTRIBUTES: own,
}: NodeJS.ProcessEnv): Record<string, string> {
  return mode && !own?.includes('deployment.environment')
    ? { 'deployment.environment': mode, 'deployment.environment.name': mode }
    : {}
}

/** The library tells of undelivered spans in its own log only. */
function listenTo(error: (message: string) => void): void {
  const quiet = (): void => undefined
  const logger = { error, warn: quiet, info: quiet, debug: quiet, verbose: quiet }
  diag.setLogger(logger, { logLevel: DiagLogLevel.ERROR, suppressOverrideMessage: true })
}

/** Passes on the first call alone. */
function once(say: (text: string) => void): (text: string) => void {
  let said = false
  return (text) => {
    if (!said) say(text)
    said = true
  }
}
