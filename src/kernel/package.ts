/** The folder of `package.json`: above `src/` when the sources run, above `dist/src/` once they are built. */
const here = import.meta.url
export const packageRoot = new URL(here.includes('/dist/src/kernel/') ? '../../../' : '../../', here)
