// The door of the web room: the one way to ask servers outside.

export { locate, shown } from './location.js'
export { createWeb, type Method, type Web, type WebAnswer, type WebRequest } from './web.js'
