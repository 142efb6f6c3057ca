import type { Archiver } from '@archiver/core'
import { openArchiver, type Wiring } from '../archivers.js'
import { errorLine } from '../report/error-lines.js'

/** An archive as it was found, and what its table needs. */
export interface ArchiveState {
  readonly name: string
  /** Undefined where it is not configured here. */
  readonly archiver?: Archiver
  /** What makes its table. */
  readonly statements: readonly string[]
  /** For people: not configured here, or what is wrong. */
  readonly note?: string
  /** Whether it cannot be made ready. */
  readonly broken: boolean
}

/** Opens an archive and looks what it lacks; what goes wrong is told, not thrown. The caller closes it. */
export async function lookAtArchive(name: string, wiring: Wiring): Promise<ArchiveState> {
  const nothing = { name, statements: [], broken: false }
  let archiver: Archiver | undefined
  try {
    const opened = await openArchiver(name, wiring)
    if ('notHere' in opened) return { ...nothing, note: opened.notHere }
    archiver = opened
    await archiver.validate?.()
    return { ...nothing, archiver, statements: (await archiver.pendingDdl?.(wiring.table)) ?? [] }
  } catch (error) {
    await archiver?.[Symbol.asyncDispose]()
    return { ...nothing, note: errorLine(error, name), broken: true }
  }
}
