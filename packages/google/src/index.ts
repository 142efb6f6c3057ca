export {
  type GoogleFailure,
  googleFailure,
  isGoogleLogin,
  isGoogleNotFound,
  isGoogleUnreachable,
  requireGoogleAnswer,
  requireNewPage,
} from './google-failure.js'
export { GOOGLE_KEY_VARIABLE, requireGoogleKeyFile } from './google-key-file.js'
