import { endianness } from 'node:os'

/** Whether numbers in this machine's memory begin with their lowest byte. */
export const IS_LITTLE_ENDIAN = endianness() === 'LE'

/** Where the low 32 bits of a 64-bit number are among its two halves in memory: 0 or 1. */
export const LOW_HALF = IS_LITTLE_ENDIAN ? 0 : 1

/** `1.7 MB` */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
