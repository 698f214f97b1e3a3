/**
 * Checks of single strings; one that a client left out is the empty one. Each returns one sentence per breach, none where the string is good; the texts are the
 * original's (apimachinery util/validation), since clients and people read them.
 */

const maxLengthMessage = (length: number): string => `must be no more than ${length} characters`;
/** Said of keys and values of labels, and of what is formed like them. */
const maxBytesMessage = (length: number): string => `must be no more than ${length} bytes`;
const emptyMessage = 'must be non-empty';
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** Sentence for a string that breaks a pattern: the rule, examples, the pattern. */
export function regexMessage(rule: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${rule} (regex used for validation is '${pattern}')`;
  const quoted = examples.map((example) => `'${example}'`).join(',  or ');
  return `${rule} (e.g. ${quoted}, regex used for validation is '${pattern}')`;
}

const utf8Length = (value: string): number => Buffer.byteLength(value);

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const HEADER_NAME = '[-A-Za-z0-9]+';
const PERCENT = '[0-9]+%';
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);
const LABEL_RE = whole(LABEL);
const SUBDOMAIN_RE = whole(SUBDOMAIN);
const WILDCARD_RE = whole(WILDCARD);
const LABEL_1035_RE = whole(LABEL_1035);
const QUALIFIED_NAME_RE = whole(QUALIFIED_NAME);
const LABEL_VALUE_RE = whole(LABEL_VALUE);
const CONFIG_KEY_RE = whole(CONFIG_KEY);
const HEADER_NAME_RE = whole(HEADER_NAME);
const PERCENT_RE = whole(PERCENT);
const HTTP_PATH_RE = whole(HTTP_PATH);

/**
 * Matches `pattern` only up to `limit` characters: a longer string is refused for its length in any case, and none of
 * these patterns may be given megabytes.
 */
function matches(value: string, pattern: RegExp, limit: number): boolean {
  return pattern.test(value.length > limit ? value.slice(0, limit).replace(/[-._]+$/, '') : value);
}

/** Nearly all are: whatever of a good string matches is ASCII, a byte a character. */
const isGood = (value: string, pattern: RegExp, limit: number): boolean => value.length <= limit && pattern.test(value);

/** A label of DNS (RFC 1123): at most 63 of `a-z0-9-`. */
export function isDns1123Label(value: string | undefined = ''): string[] {
  if (isGood(value, LABEL_RE, 63)) return [];
  const problems: string[] = [];
  if (utf8Length(value) > 63) problems.push(maxLengthMessage(63));
  if (!matches(value, LABEL_RE, 253)) {
    if (matches(value, SUBDOMAIN_RE, 253)) problems.push('must not contain dots');
    else
      problems.push(
        regexMessage(
          "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
          LABEL,
          'my-name',
          '123-abc',
        ),
      );
  }
  return problems;
}

/** A subdomain of DNS (RFC 1123): labels joined by dots, at most 253. */
export function isDns1123Subdomain(value: string | undefined = ''): string[] {
  return isGood(value, SUBDOMAIN_RE, 253) ? [] : subdomainProblems(value, maxLengthMessage);
}

function subdomainProblems(value: string, tooLong: (length: number) => string): string[] {
  const problems: string[] = [];
  if (utf8Length(value) > 253) problems.push(tooLong(253));
  if (!matches(value, SUBDOMAIN_RE, 253))
    problems.push(
      regexMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
        SUBDOMAIN,
        'example.com',
      ),
    );
  return problems;
}

/** A subdomain of DNS under `*.`: hosts of certificates and Ingresses. */
export function isWildcardSubdomain(value: string): string[] {
  const problems: string[] = [];
  if (utf8Length(value) > 253) problems.push(maxLengthMessage(253));
  if (!matches(value, WILDCARD_RE, 253))
    problems.push(
      regexMessage(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        WILDCARD,
        '*.example.com',
      ),
    );
  return problems;
}

/** A label of DNS (RFC 1035): as RFC 1123, but starting with a letter. */
export function isDns1035Label(value: string | undefined = ''): string[] {
  const problems: string[] = [];
  if (utf8Length(value) > 63) problems.push(maxLengthMessage(63));
  if (!matches(value, LABEL_1035_RE, 253))
    problems.push(
      regexMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        LABEL_1035,
        'my-name',
        'abc-123',
      ),
    );
  return problems;
}

/** `name` or `prefix/name`: keys of labels and annotations, finalizers, condition types, resource names. */
export function isQualifiedName(value: string | undefined = ''): string[] {
  const slash = value.indexOf('/');
  const isPrefixGood = slash < 0 || isGood(value.slice(0, slash), SUBDOMAIN_RE, 253);
  if (isPrefixGood && isGood(value.slice(slash + 1), QUALIFIED_NAME_RE, 63)) return [];
  const rule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  const parts = value.split('/', 3);
  const problems: string[] = [];
  let name = parts[0] ?? '';
  if (parts.length === 2) {
    const prefix = name;
    name = parts[1] ?? '';
    if (prefix === '') problems.push(`prefix part ${emptyMessage}`);
    else problems.push(...subdomainProblems(prefix, maxBytesMessage).map((problem) => `prefix part ${problem}`));
  } else if (parts.length > 2) {
    const text = regexMessage(rule, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc');
    return [`a valid label key ${text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  if (name === '') problems.push(`name part ${emptyMessage}`);
  else if (utf8Length(name) > 63) problems.push(`name part ${maxBytesMessage(63)}`);
  if (!matches(name, QUALIFIED_NAME_RE, 253))
    problems.push(`name part ${regexMessage(rule, QUALIFIED_NAME, 'MyName', 'my.name', '123-abc')}`);
  return problems;
}

export function isLabelValue(value: string | undefined = ''): string[] {
  if (isGood(value, LABEL_VALUE_RE, 63)) return [];
  const problems: string[] = [];
  if (utf8Length(value) > 63) problems.push(maxBytesMessage(63));
  if (!matches(value, LABEL_VALUE_RE, 253))
    problems.push(
      regexMessage(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        LABEL_VALUE,
        'MyValue',
        'my_value',
        '12345',
      ),
    );
  return problems;
}

/** A key of ConfigMap or Secret data; it becomes a file name. */
export function isConfigMapKey(value: string | undefined = ''): string[] {
  const problems: string[] = [];
  if (utf8Length(value) > 253) problems.push(maxLengthMessage(253));
  if (!CONFIG_KEY_RE.test(value))
    problems.push(
      regexMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        CONFIG_KEY,
        'key.name',
        'KEY_NAME',
        'key-name',
      ),
    );
  problems.push(...hasParentPrefix(value));
  return problems;
}

function hasParentPrefix(value: string): string[] {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** Any printable ASCII but `=`. */
export function isEnvVarName(value: string | undefined = ''): string[] {
  const problems: string[] = [];
  if (value === '') problems.push(`environment variable name ${emptyMessage}`);
  if (!/^[\x20-\x7e]*$/.test(value) || value.includes('='))
    problems.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  return problems;
}

export function isPortNumber(port: number): string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : [rangeMessage(1, 65535)];
}

/** A port's name (IANA service name, RFC 6335): at most 15 of `a-z0-9-`, with a letter. */
export function isPortName(value: string | undefined = ''): string[] {
  const problems: string[] = [];
  if (utf8Length(value) > 15) problems.push(maxLengthMessage(15));
  if (!/^[-a-z0-9]+$/.test(value))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function isPercent(value: string | undefined = ''): string[] {
  if (PERCENT_RE.test(value)) return [];
  return [
    regexMessage("a valid percent string must be a numeric string followed by an ending '%'", PERCENT, '1%', '93%'),
  ];
}

export function isHttpHeaderName(value: string | undefined = ''): string[] {
  if (HEADER_NAME_RE.test(value)) return [];
  return [
    regexMessage("a valid HTTP header must consist of alphanumeric characters or '-'", HEADER_NAME, 'X-Header-Name'),
  ];
}

/** `domain/path`, as of controllers and managers: a subdomain, then a path of a URL. */
export function isDomainPrefixedPath(value: string | undefined = ''): string[] {
  const slash = value.indexOf('/');
  if (value === '') return ['must be non-empty'];
  const [domain, path] = [value.slice(0, Math.max(0, slash)), value.slice(slash + 1)];
  if (slash < 0 || domain === '' || path === '') return ['must be a domain-prefixed path (such as "acme.io/foo")'];
  const problems = isDns1123Subdomain(domain);
  if (!HTTP_PATH_RE.test(path)) problems.push(regexMessage('Invalid path', HTTP_PATH));
  return problems;
}

/** A name that can stand as one segment of a URL's path. */
export function isPathSegmentName(value: string | undefined = ''): string[] {
  if (value === '.') return ["may not be '.'"];
  if (value === '..') return ["may not be '..'"];
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`);
}

/** What remains of a generateName for checking: its trailing dash will not end the name. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}
