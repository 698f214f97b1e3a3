import { startTestServer, type TestServer } from '../../apiserver/testing/test-server.js';
import { clientFromKubeconfig } from '../../shared/client/connect.js';
import type { HttpsClient } from '../../shared/client/https-client.js';
import { loadKubeconfig, resolveContext } from '../../shared/client/kubeconfig.js';
import { systemClock } from '../../shared/clock/clock.js';
import { createLog, silentLog } from '../../shared/log/log.js';
import { build, type BuildOptions } from '../build.js';
import type { ControllerDefinition } from '../context.js';

export interface TestManager {
  readonly server: TestServer;
  /** The administrator's client. */
  readonly admin: HttpsClient;
  close(): Promise<void>;
}

/** The given controllers under their own accounts against the real API server in this process. KNARR_TEST_LOG=1 shows their log. */
export async function startManager(
  controllers: readonly ControllerDefinition[],
  options: Partial<BuildOptions> = {},
): Promise<TestManager> {
  const server = await startTestServer();
  const admin = await clientFromKubeconfig(server.kubeconfigPath, { clock: systemClock });
  const path =
    options.useServiceAccounts !== false
      ? await server.kubeconfigFor('system:kube-controller-manager')
      : server.kubeconfigPath;
  const group = build({
    access: await resolveContext(await loadKubeconfig(path), path),
    controllers,
    clock: systemClock,
    random: Math.random,
    log: process.env['KNARR_TEST_LOG'] ? createLog({ component: 'test', level: 'debug' }) : silentLog,
    identity: 'test',
    leaderElect: false,
    useServiceAccounts: true,
    healthPort: undefined,
    clusterCidr: '10.244.0.0/16',
    nodeCidrMaskSize: 24,
    terminatedPodThreshold: 100,
    nodeMonitorPeriodMs: 100,
    nodeMonitorGraceMs: 1_000,
    signer: server.caKeyPair,
    rootCa: server.ca,
    ...options,
  });
  const stop = new AbortController();
  const running = group.run(stop.signal);
  running.catch(() => undefined); // told by close
  return {
    server,
    admin,
    close: async () => {
      stop.abort();
      await running;
      admin.close();
      await server.close();
    },
  };
}
