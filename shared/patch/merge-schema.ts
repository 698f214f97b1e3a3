/** How a value takes a strategic merge patch: an object, or a field as it stands in its parent. */
export interface MergeSchema {
  /** A list that merges item by item; any other is replaced as a whole. */
  readonly isMergedList: boolean;
  /** A map that is replaced as a whole; any other merges field by field. */
  readonly isReplaced: boolean;
  /** The field that tells the items of a merged list apart; undefined where the items are primitives. */
  readonly mergeKey: string | undefined;
  /** Of a field of this object, of a value of this map, or of a field of the objects in this list; undefined for unknown ones. */
  field(name: string): MergeSchema | undefined;
}
