import { ApiError } from '../api-error.js'

/** What a query job fails with. @param at `[line:column]`, or nothing */
export function invalidQuery(message: string, at = ''): ApiError {
  return new ApiError(400, {
    reason: 'invalidQuery',
    location: 'query',
    message: at === '' ? message : `${message} at ${at}`,
  })
}
