/** A text with an entry put in, and the one piece that it has more than before. */
export interface EntryInsertion {
  text: string;
  inserted: string;
}
