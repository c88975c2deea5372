import http from 'node:http';

/** A workflow server that counts what it is asked. */
export interface WorkflowServer {
  url: string;
  /** `GET /api/v1/projects/active`, one for each request since the last call. */
  take(): string[];
  /** What it answers; the active project, or whatever a test makes of the response. */
  answer: { project: string | null } | ((response: http.ServerResponse) => void);
  close(): Promise<void>;
}

export async function startWorkflowServer(): Promise<WorkflowServer> {
  let requests: string[] = [];
  const server = http.createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (typeof workflow.answer === 'function') workflow.answer(response);
    else response.end(JSON.stringify({ project_id: workflow.answer.project }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the workflow server has no port');
  const workflow: WorkflowServer = {
    url: `http://127.0.0.1:${String(address.port)}`,
    answer: { project: null },
    take() {
      const since = requests;
      requests = [];
      return since;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
  return workflow;
}
