import type { LogScore } from '@archiver/core'

const errors = [null, null, null, null, 'i/o timeout', 'bad stratum 0']

/** Plausible rows with consecutive ids from `firstId`, one a second from 2026-10-15 on: a few nulls, errors, leaps. */
export function ordinaryRows(count: number, firstId = 1_000_001n): LogScore[] {
  return Array.from({ length: count }, (_, i) => ({
    id: firstId + BigInt(i),
    monitorId: i % 11 === 0 ? null : 1 + (i % 60),
    serverId: 1 + ((i * 7919) % 5000),
    tsSeconds: 1_792_022_400 + i,
    score: 20 - (i % 41) / 2,
    step: i % 17 === 0 ? -5 : 1,
    offset: i % 13 === 0 ? null : (i - 500) / 65_536,
    rtt: i % 13 === 0 ? null : 1000 * i,
    leap: i % 19 === 0 ? 1 + (i % 3) : null,
    error: errors[i % errors.length]!,
    warning: null,
  }))
}

const plain: Omit<LogScore, 'id'> = ordinaryRows(2)[1]!

/** Rows at the edges of what the source can hold, in ascending order of id; an archive may refuse some by name. */
export function edgeRows(): LogScore[] {
  const edges: Partial<LogScore>[] = [
    ...[0, -0, 1e-300, 5e-324, 1.1, -1e30, 3.4028234663852886e38, 3.5e38, 1.7976931348623157e308].flatMap((value) => [
      { score: value },
      { step: value },
      { offset: value },
    ]),
    ...[0, 1, -1, -8_388_608, 8_388_607, 2_147_483_647, -2_147_483_648].map((rtt) => ({ rtt })),
    ...[0, 1, 2_147_483_647, 2_147_483_648, 4_294_967_295].flatMap((id) => [{ serverId: id }, { monitorId: id }]),
    ...[0, 1, 2_147_483_647, 2_147_483_648, 4_294_967_295].map((tsSeconds) => ({ tsSeconds })),
    ...[1, 2, 3, null].map((leap) => ({ leap })),
    ...texts.flatMap((text) => [{ error: text }, { warning: text }]),
    { monitorId: null, offset: null, rtt: null, leap: null, error: null, warning: null },
    { leap: 3, error: 'both', warning: 'at once' },
  ]
  return edges.map((edge, i) => ({ ...plain, ...edge, id: 5_000_000_001n + BigInt(i) }))
}

const texts = [
  'läuft nicht',
  '時計が狂った',
  'clock 🕰️ stopped',
  `"'\\ \t\r\n\u0000\u007f\u2028\ufffd`,
  'x'.repeat(70_000),
  ' ',
  '\\N',
  'NULL',
]

/** Ids at which a number or a 32-bit half would go wrong, ascending; beyond 2^63-1 an archive may refuse them. */
export function largeIdRows(): LogScore[] {
  const ids = [
    1n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 32n,
    2n ** 32n + 1n,
    2n ** 53n - 1n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
    2n ** 63n,
    2n ** 64n - 1n,
  ]
  return ids.map((id) => ({ ...plain, id }))
}
