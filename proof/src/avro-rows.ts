import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogScore } from '@archiver/core'
import { EmbeddedClickHouse } from '@archiver/fake-bigquery'

/** One for all, since it takes half a second to start; it ends with this process. */
const clickHouse = new EmbeddedClickHouse()

const STRUCTURE =
  'id Int64, server_id Int32, monitor_id Int32, ts Int64, score Float32, step Float32, offset Nullable(Float32), ' +
  'rtt Nullable(Int32), leap Nullable(Int32), error Nullable(String)'
const COLUMNS = 'toString(id), server_id, monitor_id, toString(ts), score, step, offset, rtt, leap, error'

/** All rows of all Avro files of a folder, as ClickHouse reads them. */
export async function avroRows(folder: string): Promise<LogScore[]> {
  const names = await readdir(folder)
  if (!names.some((name) => name.endsWith('.avro'))) return []
  const files = `file('${join(folder, '*.avro')}', 'Avro', '${STRUCTURE}')`
  // The columns as they are selected.
  const lines = (await clickHouse.rows(`select ${COLUMNS} from ${files}`)) as AvroLine[]
  return lines.map(rowOf)
}

type Float = number
type AvroLine = [
  string,
  number,
  number,
  string,
  Float,
  Float,
  Float | null,
  number | null,
  number | null,
  string | null,
]

function rowOf([id, serverId, monitorId, ts, score, step, offset, rtt, leap, error]: AvroLine): LogScore {
  const [score32, step32] = [Math.fround(score), Math.fround(step)]
  const offset32 = offset === null ? null : Math.fround(offset)
  const tsSeconds = Number(BigInt(ts)) / 1e6
  const rest = { rtt, leap, error, warning: null }
  return { id: BigInt(id), monitorId, serverId, tsSeconds, score: score32, step: step32, offset: offset32, ...rest }
}
