// A tus client that is not ours: uploads a file, breaking off once after the first chunk.
import { openSync, readFileSync } from "node:fs";
import { Upload } from "tus-js-client";

const [endpoint, key, path, metadata] = process.argv.slice(2);
const options = {
  endpoint,
  headers: { Authorization: `Bearer ${key}` },
  chunkSize: 100_000,
  metadata: JSON.parse(metadata),
  retryDelays: [100],
};
const run = (options, breakOff) =>
  new Promise((resolve, reject) => {
    const upload = new Upload(readFileSync(path), {
      ...options,
      onError: reject,
      onSuccess: () => resolve(upload.url),
      onChunkComplete: () => breakOff && upload.abort().then(() => resolve(upload.url), reject),
    });
    upload.start();
  });
const url = await run(options, true);
console.log(await run({ ...options, uploadUrl: url }, false));
