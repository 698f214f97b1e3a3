/** An item's place in a {@link Roster}. */
export interface Place<T> {
  readonly item: T;
  /** Both are absent once it has left: nothing that is gone may refer to what came later. */
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/**
 * What comes and goes by the thousand, in the order of its coming: requests in flight, for one. A Set would do, but for V8's
 * garbage collection: a Set that makes room leaves its former table behind with a pointer to the new one. Once one such table
 * has grown old it keeps all later ones alive, with whatever was in them at that time, until the next full collection.
 */
export class Roster<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Who has been here for the longest time. */
  get first(): Place<T> | undefined {
    return this.#first;
  }

  enter(item: T): Place<T> {
    const place: Place<T> = { item, before: this.#last, after: undefined };
    if (this.#last) this.#last.after = place;
    else this.#first = place;
    this.#last = place;
    this.#size++;
    return place;
  }

  /** Does nothing for who has left already. */
  leave(place: Place<T>): void {
    const { before, after } = place;
    if (!before && this.#first !== place) return;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    place.before = place.after = undefined;
    this.#size--;
  }

  clear(): void {
    while (this.#first) this.leave(this.#first);
  }

  /** Those who are here now. */
  items(): T[] {
    const items: T[] = [];
    for (let place = this.#first; place; place = place.after) items.push(place.item);
    return items;
  }
}
