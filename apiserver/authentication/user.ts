/** Who asks. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymousUser: User = Object.freeze({ name: 'system:anonymous', groups: ['system:unauthenticated'] });

/** The server itself, for what it keeps in its own store. */
export const apiserverUser: User = Object.freeze({ name: 'system:apiserver', groups: ['system:masters'] });
