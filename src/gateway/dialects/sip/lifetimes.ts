// How long what a client asks for lasts: a registration, a subscription, a publication. It says how long it wants,
// and is told how long it has: an hour at most.

export const longestSeconds = 3600

/** The seconds that an Expires asks for; without one, or with one that says nothing, as long as it goes. */
export const lifetimeOf = (expires: string | undefined): number =>
  expires !== undefined && /^\d{1,10}$/.test(expires)
    ? Math.min(Number(expires), longestSeconds)
    : longestSeconds
