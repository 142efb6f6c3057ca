/** Takes bytes in order, one call at a time. The bytes may be used for something else once the promise is resolved. */
export type WriteBytes = (bytes: Uint8Array) => Promise<unknown>
