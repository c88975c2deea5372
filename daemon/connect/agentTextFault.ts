/** A text that cannot be edited. The words follow the name of the file that it came from. */
export class AgentTextFault extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'AgentTextFault';
    this.hint = hint;
  }
}
