import { Failure } from '../cluster/failure.js';
import { arrayFlag } from '../flags.js';
import type { AnyObject } from '../server-api.js';
import { generator, keyValues, oneName, type Generator } from './generator.js';

interface IngressFlags {
  class?: string;
  rule?: string[];
  defaultBackend?: string;
  annotation?: string[];
}

interface Backend {
  readonly service: { readonly name: string; readonly port: { readonly number: number } | { readonly name: string } };
}
interface Path {
  readonly path: string;
  readonly pathType: 'Exact' | 'Prefix';
  readonly backend: Backend;
}
interface ParsedRule {
  readonly host: string;
  readonly path: Path;
  /** Secret with the certificate; '' where the controller's own is meant; undefined without TLS. */
  readonly tlsSecret: string | undefined;
}

const backendOf = (name: string, port: string): Backend => ({
  service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } },
});

/** Reads `host/path*=service:port[,tls[=secret]]`. @throws Failure */
export function parseIngressRule(text: string): ParsedRule {
  const found =
    /^(?<host>[^/,=]*)(?<path>\/[^,=*]*)(?<star>\*)?=(?<service>[^,:=]+):(?<port>[^,:=]+)(?<tls>,tls(=(?<secret>[^,=]+))?)?$/.exec(
      text,
    );
  if (!found?.groups) {
    throw new Failure(`rule ${text} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]`);
  }
  const { host = '', path = '/', star, service = '', port = '', tls, secret = '' } = found.groups;
  return {
    host,
    path: { backend: backendOf(service, port), path, pathType: star ? 'Prefix' : 'Exact' },
    tlsSecret: tls ? secret : undefined,
  };
}

function rulesOf(parsed: readonly ParsedRule[]): object[] {
  const hosts = [...new Set(parsed.map(({ host }) => host))];
  return hosts.map((host) => ({
    ...(host === '' ? {} : { host }),
    http: { paths: parsed.filter((rule) => rule.host === host).map(({ path }) => path) },
  }));
}

function tlsOf(parsed: readonly ParsedRule[]): object[] {
  const secured = parsed.filter(({ tlsSecret }) => tlsSecret !== undefined);
  const secrets = [...new Set(secured.map(({ tlsSecret = '' }) => tlsSecret))];
  return secrets.map((secretName) => {
    const hosts = [...new Set(secured.filter((r) => r.tlsSecret === secretName && r.host !== '').map((r) => r.host))];
    return { ...(hosts.length > 0 ? { hosts } : {}), ...(secretName === '' ? {} : { secretName }) };
  });
}

function ingressObject(words: readonly string[], flags: IngressFlags): AnyObject {
  const name = oneName(words, 'ingress');
  if (!flags.defaultBackend && !flags.rule)
    throw new Failure(
      'not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)',
    );
  const parsed = (flags.rule ?? []).map(parseIngressRule);
  const [service = '', port = ''] = (flags.defaultBackend ?? '').split(':');
  if (flags.defaultBackend && (service === '' || port === ''))
    throw new Failure('default-backend should be in format servicename:serviceport');
  const tls = tlsOf(parsed);
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, ...(flags.annotation ? { annotations: keyValues(flags.annotation, 'annotation') } : {}) },
    spec: {
      ...(flags.defaultBackend ? { defaultBackend: backendOf(service, port) } : {}),
      ...(flags.class ? { ingressClassName: flags.class } : {}),
      ...(parsed.length > 0 ? { rules: rulesOf(parsed) } : {}),
      ...(tls.length > 0 ? { tls } : {}),
    },
    status: { loadBalancer: {} },
  };
}

export const ingressGenerator: Generator = generator<IngressFlags>({
  path: ['ingress'],
  aliases: ['ing'],
  description: 'an Ingress',
  flags: (command) =>
    command
      .option('--class <name>', 'IngressClass')
      .option('--default-backend <service:port>', 'where all other requests go')
      .addOption(arrayFlag('--rule <rule>', 'host/path=service:port[,tls[=secret]]; may be repeated'))
      .addOption(arrayFlag('--annotation <key=value>', 'an annotation; may be repeated')),
  object: ({ words, flags }) => ingressObject(words, flags),
});
