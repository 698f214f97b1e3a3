import type { Kubeconfig } from '../../shared/client/kubeconfig.js';
import { Failure } from '../cluster/failure.js';

/** The lists of a kubeconfig, and where an entry of each keeps its content. */
export type ConfigList = 'clusters' | 'users' | 'contexts';
const content: Readonly<Record<ConfigList, string>> = { clusters: 'cluster', users: 'user', contexts: 'context' };

type Entry = { name: string } & Record<string, unknown>;
const entriesOf = (config: Kubeconfig, list: ConfigList): Entry[] => (config[list] ?? []) as unknown as Entry[];

/** The kubeconfig with fields of one entry set; undefined values remove them. */
export function withEntry(
  config: Kubeconfig,
  list: ConfigList,
  name: string,
  fields: Readonly<Record<string, unknown>>,
): Kubeconfig {
  const entries = entriesOf(config, list);
  const before = entries.find((entry) => entry.name === name)?.[content[list]] as Record<string, unknown> | undefined;
  const initial = list === 'contexts' ? { cluster: '', user: '' } : list === 'clusters' ? { server: '' } : {};
  const merged = Object.entries({ ...(before ?? initial), ...fields }).filter(([, value]) => value !== undefined);
  const changed = { name, [content[list]]: Object.fromEntries(merged) };
  const isNew = !entries.some((entry) => entry.name === name);
  const after = isNew ? [...entries, changed] : entries.map((entry) => (entry.name === name ? changed : entry));
  return { ...config, [list]: after.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) };
}

/** The kubeconfig without an entry. */
export const withoutEntry = (config: Kubeconfig, list: ConfigList, name: string): Kubeconfig => ({
  ...config,
  [list]: entriesOf(config, list).filter((entry) => entry.name !== name),
});

export const hasEntry = (config: Kubeconfig, list: ConfigList, name: string): boolean =>
  entriesOf(config, list).some((entry) => entry.name === name);

/** A context under another name; the current one stays current. @throws Failure */
export function renamedContext(config: Kubeconfig, from: string, to: string, file: string): Kubeconfig {
  if (!hasEntry(config, 'contexts', from))
    throw new Failure(`cannot rename the context "${from}", it's not in ${file}`);
  if (hasEntry(config, 'contexts', to))
    throw new Failure(`cannot rename the context "${from}", the context "${to}" already exists in ${file}`);
  return {
    ...config,
    contexts: (config.contexts ?? []).map((entry) => (entry.name === from ? { ...entry, name: to } : entry)),
    ...(config['current-context'] === from ? { 'current-context': to } : {}),
  };
}

/**
 * Sets (or with an undefined value removes) what a path such as `contexts.work.namespace` or `current-context` names. A name in the
 * middle may hold dots. @param isRaw whether bytes are given as they are, and not as base64 @throws Failure
 */
export function withProperty(config: Kubeconfig, path: string, value: string | undefined, isRaw = false): Kubeconfig {
  const [list = '', ...rest] = path.split('.');
  if (!(list in content)) {
    if (rest.length > 0 || !scalars.has(list)) throw new Failure(`unable to parse ${path} after [] at api.Config`);
    const others = Object.entries(config).filter(([key]) => key !== list);
    return (value === undefined ? Object.fromEntries(others) : { ...config, [list]: value }) as Kubeconfig;
  }
  const known = list as ConfigList;
  if (rest.length === 0 && value === undefined) return { ...config, [list]: [] };
  if (value === undefined && (rest.length === 1 || hasEntry(config, known, rest.join('.'))))
    return withoutEntry(config, known, rest.join('.'));
  const field = rest.at(-1);
  const name = rest.slice(0, -1).join('.');
  if (field === undefined || name === '') throw new Failure(`unable to set path ${path}`);
  if (value === undefined && !hasEntry(config, known, name))
    throw new Failure(`current map key \`${name}\` is invalid`);
  if (value === undefined) return withEntry(config, known, name, { [field]: undefined });
  if (!fields[known].has(field)) throw new Failure(`unable to set path ${path}`);
  return withEntry(config, known, name, { [field]: fieldValue(field, value, isRaw) });
}

/** What a kubeconfig has outside of its lists, and the texts and truths that entries of the lists have. */
const scalars: ReadonlySet<string> = new Set(['current-context', 'kind', 'apiVersion', 'preferences']);
const fields: Readonly<Record<ConfigList, ReadonlySet<string>>> = {
  clusters: new Set([
    'server',
    'tls-server-name',
    'insecure-skip-tls-verify',
    'certificate-authority',
    'certificate-authority-data',
    'proxy-url',
    'disable-compression',
  ]),
  users: new Set([
    'client-certificate',
    'client-certificate-data',
    'client-key',
    'client-key-data',
    'token',
    'tokenFile',
    'username',
    'password',
    'as',
    'as-uid',
  ]),
  contexts: new Set(['cluster', 'user', 'namespace']),
};

function fieldValue(field: string, value: string, isRaw: boolean): string | boolean {
  if (field.endsWith('-data')) return isRaw ? Buffer.from(value).toString('base64') : base64(value);
  if (field !== 'insecure-skip-tls-verify' && field !== 'disable-compression') return value;
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return false;
  throw new Failure(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
}

function base64(value: string): string {
  const [valid = ''] = /^[A-Za-z0-9+/]*={0,2}/.exec(value) ?? [];
  const at = valid.length < value.length ? valid.length : value.length - (value.length % 4);
  if (at < value.length) throw new Failure(`error decoding input value: illegal base64 data at input byte ${at}`);
  return value;
}
