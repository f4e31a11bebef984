import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

/** What a provider keeps, in memory: shared by the successive providers that stand behind one issuer's name. */
export function createProviderStore(): AdapterFactory {
  const kept = new Map<string, AdapterPayload>()
  return (model): Adapter => {
    const named = (id: string): string => `${model}:${id}`
    const found = async (
      matches: (payload: AdapterPayload) => boolean,
    ): Promise<AdapterPayload | undefined> =>
      [...kept].find(([name, payload]) => name.startsWith(named('')) && matches(payload))?.[1]
    return {
      upsert: async (id, payload) => void kept.set(named(id), payload),
      find: async (id) => kept.get(named(id)),
      findByUid: (uid) => found((payload) => payload.uid === uid),
      findByUserCode: (userCode) => found((payload) => payload.userCode === userCode),
      async consume(id) {
        const payload = kept.get(named(id))
        if (payload !== undefined) payload['consumed'] = Math.floor(Date.now() / 1000)
      },
      destroy: async (id) => void kept.delete(named(id)),
      async revokeByGrantId(grantId) {
        for (const [name, payload] of kept) if (payload.grantId === grantId) kept.delete(name)
      },
    }
  }
}
