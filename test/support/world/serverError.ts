/** What PostgreSQL says when it refuses a statement, as `pg` throws it. */
export class ServerError extends Error {
  readonly severity = 'ERROR';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
