type Schema = Readonly<Record<string, unknown>>

const text = { type: 'string' }
const time = { type: 'string', format: 'date-time', description: 'ISO 8601, UTC.' }
const id = { type: 'string', pattern: '^[0-9]{1,20}$', description: 'An id of 64 bits, as text.' }
const count = { type: 'integer', minimum: 0 }
const ms = { type: 'number', minimum: 0, description: 'Milliseconds.' }

/** Every member is there; it may be null where {@link orNull} says so. */
function object(properties: Readonly<Record<string, Schema>>, description?: string): Schema {
  const said = description === undefined ? {} : { description }
  return { type: 'object', ...said, required: Object.keys(properties), properties, additionalProperties: false }
}

function orNull(schema: Schema, description?: string): Schema {
  const said = description === undefined ? {} : { description }
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'], ...said }
  return { anyOf: [schema, { type: 'null' }], ...said }
}

function oneOf(...names: readonly string[]): Schema {
  return { type: 'string', enum: names }
}

function ref(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` }
}

/** The types of @archiver/service, as JSON. A test holds real answers to them. */
export const schemas = {
  ServiceStatus: object({
    version: text,
    database: text,
    table: text,
    host: text,
    service: orNull(ref('ServiceState'), 'Null where no service answered.'),
    at: time,
    health: ref('Health'),
    mysql: ref('MySqlState'),
    newest: orNull(object({ id, ts: orNull(time) }), 'The newest row of the source table.'),
    archivers: { type: 'array', items: ref('ArchiverState') },
    cleanup: orNull(ref('CleanupState'), 'Null where cleanup is not turned on.'),
    warnings: { type: 'array', items: ref('TableWarning') },
  }),
  TableWarning: object(
    {
      code: oneOf('ROWS_UNARCHIVED', 'ROW_ID_LOW', 'STATUS_STAMP_AHEAD'),
      message: text,
      hint: text,
      rows: orNull(count, 'Rows that it concerns; null where that is not known.'),
    },
    'What an operator should know of the table and its status. Nothing stops for it.',
  ),
  Health: { ...oneOf('ok', 'late', 'failing'), description: 'Late is past status_late_after.' },
  ServiceState: object({
    pid: count,
    startedAt: time,
    role: oneOf('starting', 'leader', 'standby', 'stopping'),
    since: time,
    lock: object({ name: text, holder: orNull(text) }),
    reload: orNull(object({ at: time, taken: { type: 'boolean' }, text }), 'The last change of settings.'),
    runbookUrl: orNull(text, 'Has a page for each error code.'),
    lostLogLines: { ...count, description: 'Lines of the log that could not be written since it started.' },
  }),
  MySqlState: object({
    reachable: { type: 'boolean' },
    answeredAt: orNull(time),
    error: orNull(ref('FailureState')),
    nextTryAt: orNull(time, 'When the service tries again, where MySQL does not answer.'),
    pool: orNull(object({ open: count, idle: count, waiting: count })),
  }),
  FailureState: object({ at: time, since: time, code: text, message: text, hint: orNull(text) }),
  ArchiverState: object({
    archiver: text,
    state: oneOf('waiting', 'queued', 'running', 'retrying', 'failing', 'elsewhere', 'unknown'),
    health: ref('Health'),
    mark: orNull(id, 'Null: nothing is stored yet.'),
    markedAt: orNull(time),
    lag: object({ rows: orNull(id, 'Rows at most.'), ms: orNull(ms) }),
    batch: orNull(object({ id, firstId: id, upToId: id, rows: count, startedAt: time }), 'The batch under way.'),
    lastBatch: orNull(object({ id, rows: count, bytes: count, identity: text, elapsedMs: ms, doneAt: time })),
    nextRunAt: orNull(time),
    lastSuccessAt: orNull(time),
    error: orNull(ref('FailureState'), 'The last failure that no success has followed.'),
    failuresInARow: count,
    skippedRows: count,
    deletedFromSourceRows: count,
    policy: orNull(object({ minRows: count, maxRows: count, intervalMs: ms })),
  }),
  CleanupState: object({
    state: oneOf('waiting', 'running', 'throttled', 'blocked', 'failing', 'unknown'),
    health: ref('Health'),
    lastRunAt: orNull(time),
    nextRunAt: orNull(time),
    deletedRows: orNull(count, 'Of the last run.'),
    keptRows: orNull(
      { type: 'array', items: object({ table: text, rows: count }) },
      'Old rows that other tables point to.',
    ),
    oldestTs: orNull(time),
    retentionDays: count,
    blocked: orNull(object({ reason: text, why: text, hint: orNull(text) })),
    error: orNull(ref('FailureState')),
  }),
  HistorySample: object({
    at: time,
    archivers: {
      type: 'object',
      additionalProperties: object({
        lagRows: orNull(count),
        lagMs: orNull(ms),
        rowsPerSecond: { type: 'number', minimum: 0 },
      }),
    },
  }),
} as const
