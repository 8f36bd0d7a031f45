// What @vscode/debugadapter-testsupport, the client that adapters of VS Code are
// tested with, finds of ptana dap.
//
//     node dap_client.js PTANA PROGRAM TRACE
//
// Prints {"passed": N}; leaves with 1, and says why, at the first that fails.
'use strict';
const assert = require('assert');
const {DebugClient} = require('@vscode/debugadapter-testsupport');
const [ptana, program, trace] = process.argv.slice(2);
const LOOP = 13, RAISE = 20;

async function session(run) {
    const dc = new DebugClient(ptana, 'dap', 'ptana', {stdio: 'pipe'});
    dc.defaultTimeout = 30000;
    await dc.start();
    try {
        await run(dc);
    } finally {
        await dc.stop();
    }
}

const cases = {
    async 'capabilities'(dc) {
        const {body} = await dc.initializeRequest();
        assert(body.supportsStepBack && body.supportsConfigurationDoneRequest);
    },
    async 'hits a breakpoint'(dc) {
        await dc.hitBreakpoint({trace, stopOnEntry: false, request: 'attach'},
                               {path: program, line: LOOP});
    },
    async 'stops where the program failed'(dc) {
        await Promise.all([
            dc.configurationSequence(),
            dc.launch({trace}),
            dc.assertStoppedLocation('exception', {path: program, line: RAISE}),
        ]);
    },
    async 'steps both ways'(dc) {
        await Promise.all([
            dc.configurationSequence(),
            dc.launch({trace}),
            dc.waitForEvent('stopped'),
        ]);
        const {body: {threads: [{id: threadId}]}} = await dc.threadsRequest();
        for (const [command, line] of [
            ['stepBack', RAISE], ['stepBack', RAISE - 1], ['stepIn', RAISE],
        ]) {
            await Promise.all([
                dc.send(command, {threadId}),
                dc.assertStoppedLocation('step', {path: program, line}),
            ]);
        }
    },
};

(async () => {
    let passed = 0;
    for (const [name, run] of Object.entries(cases)) {
        await session(async dc => {
            // The client's own sequences launch; a trace is attached to.
            dc.launchRequest = args => dc.attachRequest(args);
            await run(dc).catch(error => {
                throw new Error(`${name}: ${error.stack}`);
            });
        });
        passed++;
    }
    console.log(JSON.stringify({passed}));
})().catch(error => {
    console.error(error.message);
    process.exit(1);
});
