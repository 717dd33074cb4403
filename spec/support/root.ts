// Where the repository is. tap runs specs there, whether from their sources or as the suite has compiled them.

export const root = process.cwd()
