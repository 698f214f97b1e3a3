import type { Node, Pod, PodDisruptionBudget } from '../../shared/api/generated/types.js';
import { explainRefusal } from '../explanation.js';
import { NodeTable } from '../node-table.js';
import { Nominations } from '../nominations.js';
import { Placer } from '../placement.js';
import { toPodInfo } from '../pod-info.js';
import { planPreemption } from '../preemption.js';
import { VolumeObjects } from './objects.js';

/** Nodes with pods on them, for tests of decisions. */
export class World {
  readonly table = new NodeTable();
  readonly nominations = new Nominations();
  readonly volumes = new VolumeObjects();
  readonly budgets: PodDisruptionBudget[] = [];
  readonly placer: Placer;

  constructor(nodes: readonly Node[], placed: Readonly<Record<string, readonly Pod[]>> = {}) {
    this.placer = new Placer(this.table, {
      namespaceLabels: (name) => ({ 'kubernetes.io/metadata.name': name }),
      random: () => 0.999,
      volumes: this.volumes.catalog,
      nominations: this.nominations,
      onStep: () => undefined,
    });
    for (const n of nodes) this.table.setNode(n);
    for (const [name, pods] of Object.entries(placed)) for (const p of pods) this.table.addPod(toPodInfo(p), name);
  }

  /** Node name, or the sentence. */
  place(p: Pod): string {
    const placement = this.placer.place(toPodInfo(p));
    return 'node' in placement ? placement.node : explainRefusal(toPodInfo(p), placement, this.table);
  }

  /** Places and keeps. */
  run(p: Pod): string {
    const name = this.place(p);
    this.table.addPod(toPodInfo(p), name);
    return name;
  }

  /** `node: victim, victim`, or the sentence. */
  preempt(p: Pod): string {
    const info = toPodInfo(p);
    const refused = this.placer.place(info);
    if ('node' in refused) return `fits on ${refused.node}`;
    const { table, budgets } = this;
    const nominated = this.nominations.nodeOf(info.key);
    const world = { table, fit: this.placer.fit, budgets, nominated, random: () => 0 };
    const plan = planPreemption(info, refused, world);
    if (!('victims' in plan)) return plan.message;
    return `${plan.node}: ${plan.victims.map(({ pod: { metadata } }) => metadata.name).join(', ')}`;
  }
}
