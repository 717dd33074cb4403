// How the address of a further document may be written in one: with which methods, and where it may be relative.

import { locate } from '../../egress/index.js'
import type { Result } from '../../errors.js'

/** Methods an instruction document may be asked for with. */
export const methods = ['GET', 'POST'] as const
export type Method = (typeof methods)[number]

/** As `locate`, for an address that may be relative to one not known yet. */
export const locateLater = (text: string): Result<URL> => locate(text, 'http://document.invalid/')
