import type { ArchiverStatus, Source } from '@archiver/core'
import { type Preview, preview } from '@archiver/core/engine'
import { connect, disconnect, isEncrypted, MySqlLedger, MySqlSource } from '@archiver/mysql'
import { openArchiver } from '../archivers.js'
import { ExitCode } from '../exit-codes.js'
import { errorLine } from '../report/error-lines.js'
import { printLine } from '../standard-streams.js'
import type { ArchiveJob } from './archive.js'

/** Says what each archiver would store. Takes no lock and writes nowhere. @returns the exit code. */
export async function previewArchive(job: ArchiveJob): Promise<number> {
  const { settings, table, only } = job
  const connection = await connect(settings.mysql)
  try {
    await using source = new MySqlSource({ settings: settings.mysql, table, encrypted: isEncrypted(connection) })
    await source.detectColumns()
    const statuses = await new MySqlLedger(connection, table).status()
    const wanted = statuses.filter(({ archiver }) => only.length === 0 || only.includes(archiver))
    if (wanted.length === 0) printLine(`no archiver is turned on in ${table}_archive_status`)
    for (const status of wanted) printLine(await describe(source, status, job))
    return ExitCode.ok
  } finally {
    await disconnect(connection)
  }
}

async function describe(source: Source, status: ArchiverStatus, job: ArchiveJob): Promise<string> {
  try {
    const archiver = await openArchiver(status.archiver, job)
    if ('notHere' in archiver) return `${status.archiver}: ${archiver.notHere}`
    await using _ = archiver
    return line(await preview(source, status, archiver.policy), archiver.policy.maxRows)
  } catch (error) {
    return `${status.archiver}: would fail: ${errorLine(error, status.archiver)}`
  }
}

function line({ archiver, mark, rows, firstId, upToId, action }: Preview, maxRows: number): string {
  const waiting = `${rows.toLocaleString('en-US')}${rows === maxRows ? ' or more' : ''} rows wait after mark ${mark ?? 'none'}`
  const batch = `store, the first batch from id ${firstId} to ${upToId} at most`
  return `${archiver}: would ${action === 'store' ? batch : action}; ${waiting}`
}
