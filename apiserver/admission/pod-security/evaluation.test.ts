import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, PodSpec } from '../../../shared/api/generated/types.js';
import { detailText, violationsOf } from './evaluation.js';
import type { Level } from './policy.js';

const hardened: Container = {
  name: 'c',
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

interface Row {
  readonly what: string;
  readonly level?: Level;
  readonly minor?: number;
  readonly spec: Partial<PodSpec>;
  readonly annotations?: Record<string, string>;
  readonly says: string;
}

const containers = (...contexts: Container['securityContext'][]): Partial<PodSpec> => ({
  containers: contexts.map((securityContext, i) => ({
    name: 'abcdef'[i] ?? '',
    ...(securityContext && { securityContext }),
  })),
});
const hard = (change: Partial<Container>): Partial<PodSpec> => ({ containers: [{ ...hardened, ...change }] });

const rows: readonly Row[] = [
  { what: 'an ordinary pod', spec: containers(undefined), says: '' },
  {
    what: 'privileged containers',
    spec: containers({ privileged: true }, {}, { privileged: true }),
    says: 'privileged (containers "a", "c" must not set securityContext.privileged=true)',
  },
  {
    what: 'namespaces of the host, in a fixed order',
    spec: { hostIPC: true, hostNetwork: true },
    says: 'host namespaces (hostNetwork=true, hostIPC=true)',
  },
  {
    what: 'volumes of the host',
    spec: { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
    says: 'hostPath volumes (volume "v")',
  },
  {
    what: 'ports of the host, once each',
    spec: {
      containers: [
        { name: 'a', ports: [{ containerPort: 1, hostPort: 80 }] },
        {
          name: 'b',
          ports: [
            { containerPort: 1, hostPort: 80 },
            { containerPort: 2, hostPort: 443 },
          ],
        },
      ],
    },
    says: 'hostPort (containers "a", "b" use hostPorts 443, 80)',
  },
  {
    what: 'capabilities beyond the default',
    spec: containers({ capabilities: { add: ['CHOWN', 'SYS_ADMIN', 'NET_RAW'] } }),
    says: 'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
  },
  {
    what: 'probes of other hosts',
    spec: { containers: [{ name: 'a', livenessProbe: { httpGet: { host: 'h', port: 1 } } }] },
    says: 'probe or lifecycle host (container "a" uses probe or lifecycle host "h")',
  },
  {
    what: 'probes of other hosts before the rule was made',
    minor: 33,
    spec: { containers: [{ name: 'a', livenessProbe: { httpGet: { host: 'h', port: 1 } } }] },
    says: '',
  },
  {
    what: 'no seccomp profile, of pod and container',
    spec: {
      securityContext: { seccompProfile: { type: 'Unconfined' } },
      ...containers({ seccompProfile: { type: 'Unconfined' } }),
    },
    says: 'seccompProfile (pod and container "a" must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    what: 'old seccomp annotations under old rules',
    minor: 18,
    annotations: { 'container.seccomp.security.alpha.kubernetes.io/a': 'unconfined' },
    spec: containers(undefined),
    says: 'seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/a="unconfined")',
  },
  {
    what: 'dangerous sysctls',
    spec: {
      securityContext: {
        sysctls: [
          { name: 'kernel.msgmax', value: '1' },
          { name: 'net.ipv4.tcp_rmem', value: '1' },
        ],
      },
    },
    says: 'forbidden sysctls (kernel.msgmax)',
  },
  {
    what: 'sysctls that were dangerous then',
    minor: 31,
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } },
    says: 'forbidden sysctls (net.ipv4.tcp_rmem)',
  },
  {
    what: 'SELinux options',
    spec: containers({ seLinuxOptions: { type: 'spc_t', user: 'u', role: 'r' } }),
    says: 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set; role may not be set)',
  },
  {
    what: 'AppArmor off, by field and by annotation',
    annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' },
    spec: containers({ appArmorProfile: { type: 'Unconfined' } }),
    says: 'forbidden AppArmor profiles (container "a" and annotation must not set AppArmor profile type to "Unconfined", "container.apparmor.security.beta.kubernetes.io/a=\\"unconfined\\"")',
  },
  {
    what: 'a process of a Windows host',
    spec: { securityContext: { windowsOptions: { hostProcess: true } } },
    says: 'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
  },
  {
    what: 'an unmasked /proc',
    spec: containers({ procMount: 'Unmasked' }),
    says: 'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
  },
  {
    what: 'an unmasked /proc of a pod with users of its own',
    spec: { hostUsers: false, ...containers({ procMount: 'Unmasked' }) },
    says: '',
  },
  {
    what: 'an ordinary pod under the strictest rules',
    level: 'restricted',
    spec: containers(undefined),
    says:
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), ' +
      'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), ' +
      'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), ' +
      'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  { what: 'a hardened pod', level: 'restricted', spec: hard({}), says: '' },
  {
    what: 'a hardened pod that is root',
    level: 'restricted',
    spec: hard({ securityContext: { ...hardened.securityContext, runAsUser: 0 } }),
    says: 'runAsUser=0 (container "c" must not set runAsUser=0)',
  },
  {
    what: 'what baseline forbids, once and in the stricter words',
    level: 'restricted',
    spec: {
      ...hard({}),
      volumes: [
        { name: 'v', hostPath: { path: '/' } },
        { name: 'n', nfs: { path: '/', server: 's' } },
      ],
    },
    says: 'restricted volume types (volumes "v", "n" use restricted volume types "hostPath", "nfs")',
  },
  {
    what: 'a pod of Windows',
    level: 'restricted',
    spec: { os: { name: 'windows' }, securityContext: { runAsNonRoot: true }, ...containers(undefined) },
    says: '',
  },
  {
    what: 'an ephemeral container',
    spec: { ...containers(undefined), ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] },
    says: 'privileged (container "e" must not set securityContext.privileged=true)',
  },
];

describe('Pod Security Standards', () => {
  for (const { what, level = 'baseline', minor = Infinity, spec, annotations = {}, says } of rows) {
    it(`${level}: ${what}`, () => {
      const pod = { metadata: { annotations }, spec: { containers: [], ...spec } };
      assert.equal(detailText(violationsOf({ level, minor }, pod)), says);
    });
  }

  it('lets everything pass where the level is privileged', () => {
    const spec = { hostPID: true, containers: [{ name: 'a', securityContext: { privileged: true } }] };
    assert.deepEqual(violationsOf({ level: 'privileged', minor: Infinity }, { metadata: {}, spec }), []);
  });
});
