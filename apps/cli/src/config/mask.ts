/** What stands for a secret wherever values are printed. */
export const masked = '***'
