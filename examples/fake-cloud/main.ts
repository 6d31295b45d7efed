// The fake cloud as a program: node dist/examples/fake-cloud/main.js [PORT]. Its token is FAKE_CLOUD_TOKEN.
import { createCloud } from './cloud.js';

const token = process.env['FAKE_CLOUD_TOKEN'] ?? 'sesame';
const { http } = createCloud({ token });
http.listen(Number(process.argv[2] ?? 7090), '127.0.0.1', () => {
  const address = http.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  console.log(`the fake cloud listens on http://127.0.0.1:${port}`);
});
process.on('SIGTERM', () => {
  http.close(() => process.exit(0));
  http.closeAllConnections();
});
