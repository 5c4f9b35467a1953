/**
 * Names while a transaction is checked: taken or free, as the changes so far leave them.
 */
import type { Table } from './table.js';

/** Names that the changes of one transaction gave and freed, on top of those in the tables. */
export class NameClaims {
  /** Per table: lower-case name → taken (true) or freed (false) by a change. */
  readonly #claims = new Map<Table, Map<string, boolean>>();

  isTaken(table: Table, name: string): boolean {
    return this.#claims.get(table)?.get(name.toLowerCase()) ?? table.isNameTaken(name);
  }

  /** Notes that a change gave the name to an object, or took it from one. */
  note(table: Table, name: string, isTaken: boolean): void {
    if (name === '') return;
    let claims = this.#claims.get(table);
    if (claims === undefined) this.#claims.set(table, (claims = new Map()));
    claims.set(name.toLowerCase(), isTaken);
  }
}
