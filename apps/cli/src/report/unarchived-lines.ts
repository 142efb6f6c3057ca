import type { Unarchived } from '@archiver/core'

/** What no archive keeps, in one sentence for each name: each is said once. */
export class UnarchivedLines {
  private readonly said = new Set<string>()

  lines({ columns, keys }: Unarchived): string[] {
    return [...this.fresh('column', columns), ...this.fresh('key of attributes', keys)]
  }

  private fresh(kind: string, counts: Readonly<Record<string, number>>): string[] {
    return Object.entries(counts).flatMap(([name, rows]) => {
      const subject = `${kind} ${name}`
      if (this.said.has(subject)) return []
      this.said.add(subject)
      return [
        `no archive keeps the ${subject}: ${rows} rows of this batch were archived without it. Cleanup waits before it deletes such rows; if the values may be lost, set unarchived=${name}`,
      ]
    })
  }
}
