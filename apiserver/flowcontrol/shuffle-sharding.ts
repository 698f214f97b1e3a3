/**
 * Deals each flow its hand of queues (shuffle sharding): always the same ones for the same flow, and rarely the same ones
 * for two flows, so that a flow that fills its own queues leaves others a queue that is free.
 */
export class Dealer {
  readonly #deckSize: number;
  readonly #handSize: number;
  readonly #seed: number;

  /** @param seed of this process: nobody outside can pick names that share a hand */
  constructor(deckSize: number, handSize: number, seed: number) {
    this.#deckSize = Math.max(1, deckSize);
    this.#handSize = Math.min(Math.max(1, handSize), this.#deckSize);
    this.#seed = seed >>> 0;
  }

  /** Numbers of the queues, all different, 0 <= number < deck size. */
  deal(flow: string): number[] {
    let state = hashOf(flow, this.#seed);
    const hand: number[] = [];
    for (let dealt = 0; dealt < this.#handSize; dealt++) {
      state = mix(state + 0x9e3779b9);
      // A card of those that are left, counted without the ones already dealt.
      let card = state % (this.#deckSize - dealt);
      let at = 0;
      for (; at < dealt; at++) {
        if (card < (hand[at] ?? 0)) break;
        card++;
      }
      hand.splice(at, 0, card);
    }
    return hand;
  }
}

/** FNV-1a, then mixed. */
function hashOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return mix(hash);
}

/** The finalizer of MurmurHash3. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}
