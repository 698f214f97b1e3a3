import type { InformerFactory } from '../shared/cache/informer-factory.js';
import type { Client } from '../shared/client/client.js';
import { pause, type Clock } from '../shared/clock/clock.js';
import { Controller, type ControllerOptions } from '../shared/controller/controller.js';
import type { EventRecorder } from '../shared/controller/event-recorder.js';
import type { Log } from '../shared/log/log.js';
import type { MetricsRegistry } from '../shared/metrics/registry.js';

/** What the administrator chose; see the flags in main.ts. */
export interface ControllerManagerOptions {
  readonly clusterCidr: string;
  readonly nodeCidrMaskSize: number;
  /** PEM of the authority that signs certificates; without it none are signed. */
  readonly signer?: { readonly certificate: string; readonly key: string };
  /** PEM of the authority that pods trust; without it no kube-root-ca.crt is published. */
  readonly rootCa?: string;
  readonly terminatedPodThreshold: number;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGraceMs: number;
}

/** What every controller is built from. */
export interface ControllerContext {
  /** Shared by all controllers; read with the controller-manager's own identity. */
  readonly informers: InformerFactory;
  readonly options: ControllerManagerOptions;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: Log;
  readonly metrics: MetricsRegistry;
  /** Acts as ServiceAccount kube-system/ACCOUNT. */
  client(account: string): Client;
  /** Events written under that account; `component` is their source, by default the account. */
  recorder(account: string, component?: string): EventRecorder;
}

/** A controller under construction: registers its handlers, then runs until aborted. */
export interface Runnable {
  run(signal: AbortSignal): Promise<void>;
}

/** One controller of the manager. `name` is as in the original's --controllers flag. */
export interface ControllerDefinition {
  readonly name: string;
  readonly build: (context: ControllerContext) => Runnable;
}

/** The runner of shared/controller with the context's clock, log and metrics. */
export function newController(context: ControllerContext, options: ControllerOptions): Controller {
  return new Controller(options, context);
}

/** Runs `step` again and again, `periodMs` after its end; a failure is logged and does not end the loop. */
export function periodic(
  context: ControllerContext,
  name: string,
  periodMs: number,
  step: (signal: AbortSignal) => Promise<void>,
): Runnable {
  return {
    run: async (signal) => {
      while (!signal.aborted) {
        try {
          await step(signal);
        } catch (error) {
          if (signal.aborted) return;
          context.log.warn('a periodic step failed, trying again', { controller: name, error });
        }
        await pause(context.clock, periodMs, signal);
      }
    },
  };
}

/** Several parts that run together; the first failure ends it. */
export function together(...parts: readonly Runnable[]): Runnable {
  return { run: async (signal) => void (await Promise.all(parts.map((part) => part.run(signal)))) };
}
