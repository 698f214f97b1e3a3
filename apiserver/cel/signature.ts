import {
  boolType,
  bytesType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  opaqueType,
  optionalType,
  stringType,
  timestampType,
  typeType,
  uintType,
  type CelType,
} from './types.js';

const named: Readonly<Record<string, CelType>> = {
  dyn: dynType,
  bool: boolType,
  int: intType,
  uint: uintType,
  double: doubleType,
  string: stringType,
  bytes: bytesType,
  null: nullType,
  timestamp: timestampType,
  duration: durationType,
  type: typeType,
  quantity: opaqueType('kubernetes.Quantity'),
  url: opaqueType('kubernetes.URL'),
  ip: opaqueType('net.IP'),
  cidr: opaqueType('net.CIDR'),
  semver: opaqueType('kubernetes.Semver'),
  format: opaqueType('kubernetes.NamedFormat'),
  authorizer: opaqueType('kubernetes.authorization.Authorizer'),
  pathCheck: opaqueType('kubernetes.authorization.PathCheck'),
  groupCheck: opaqueType('kubernetes.authorization.GroupCheck'),
  resourceCheck: opaqueType('kubernetes.authorization.ResourceCheck'),
  decision: opaqueType('kubernetes.authorization.Decision'),
};

export interface Signature {
  readonly name: string;
  readonly isMember: boolean;
  /** The target first, where there is one. */
  readonly parameters: readonly CelType[];
  readonly result: CelType;
}

/** Reads `string.indexOf(string, int) -> int`, `size(list<T>) -> int`, and with a dotted global name `::sets.contains(...) -> bool`. */
export function parseSignature(text: string): Signature {
  const isDotted = text.startsWith('::');
  const pattern = isDotted ? /^()::([\w.]+)\((.*)\) -> (.+)$/ : /^(?:([\w<>, ]+)\.)?([^\s(.]+)\((.*)\) -> (.+)$/;
  const match = pattern.exec(text);
  if (!match) throw new Error(`not a signature: ${text}`);
  const [, target = '', name = '', list = '', result = ''] = match;
  const parameters = splitTypes(list).map(parseType);
  if (target !== '') parameters.unshift(parseType(target));
  return { name, isMember: target !== '', parameters, result: parseType(result) };
}

function splitTypes(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i <= list.length; i++) {
    const char = list[i];
    if (char === '<') depth += 1;
    if (char === '>') depth -= 1;
    if ((char === ',' && depth === 0) || i === list.length) {
      const part = list.slice(from, i).trim();
      if (part !== '') parts.push(part);
      from = i + 1;
    }
  }
  return parts;
}

function parseType(text: string): CelType {
  const known = named[text];
  if (known) return known;
  if (/^[A-Z]$/.test(text)) return { kind: 'parameter', name: text };
  const generic = /^(\w+)<(.+)>$/.exec(text);
  if (!generic) return opaqueType(text);
  const [first = dynType, second = dynType] = splitTypes(generic[2] ?? '').map(parseType);
  if (generic[1] === 'list') return listType(first);
  if (generic[1] === 'map') return mapType(first, second);
  return generic[1] === 'optional' ? optionalType(first) : opaqueType(generic[1] ?? '', first);
}
