// The door of the directory room: which groups a tenant has now, and who is in them.

export { Directory, type DirectoryOptions, type GroupFacts, type Put } from './directory.js'
