// SPDX-License-Identifier: MIT
'use strict';
const http = require('http');
const fs = require('fs');

const mebibyte = Buffer.alloc(1024 * 1024, 'b');

function answer(response, type, body) {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

const server = http.createServer((request, response) => {
  switch (request.url) {
    case '/plaintext': return answer(response, 'text/plain; charset=utf-8', 'Hello, World!');
    case '/json':
      return answer(response, 'application/json', JSON.stringify({ message: 'Hello, World!' }));
    case '/memory': return answer(response, 'text/plain', mebibyte);
    case '/discard':
      request.resume();
      return request.on('end', () => answer(response, 'text/plain', 'taken'));
    default: {
      const path = process.argv[3] + request.url;
      response.writeHead(200, { 'Content-Length': fs.statSync(path).size });
      return fs.createReadStream(path).pipe(response);
    }
  }
});
server.keepAliveTimeout = 600000;
server.listen(Number(process.argv[2]), '127.0.0.1', 4096);
