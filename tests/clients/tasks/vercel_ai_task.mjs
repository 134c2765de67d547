// Vercel's AI SDK: streamText with three tools, over each of its providers that speaks a dialect of the gateway.
import { execSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Packages are those of the environment whose folder is named, wherever this file stands.
const found = createRequire(process.env.NODE_PACKAGES + '/')
const load = (name) => import(pathToFileURL(found.resolve(name)))
const { streamText, tool, isStepCount } = await load('ai')
const { createOpenAICompatible } = await load('@ai-sdk/openai-compatible')
const { createOpenAI } = await load('@ai-sdk/openai')
const { createAnthropic } = await load('@ai-sdk/anthropic')
const { z } = await load('zod')

const [prompt, kind] = process.argv.slice(2)
const baseURL = process.env.GATEWAY_URL + '/v1'
const apiKey = process.env.GATEWAY_KEY
const model = {
  compatible: () => createOpenAICompatible({ name: 'aduana', baseURL, apiKey }).chatModel('auto'),
  chat: () => createOpenAI({ baseURL, apiKey }).chat('auto'),
  responses: () => createOpenAI({ baseURL, apiKey }).responses('auto'),
  anthropic: () => createAnthropic({ baseURL, apiKey })('auto'),
}[kind]()
const text = z.string()
const tools = {
  read_file: tool({ inputSchema: z.object({ path: text }), execute: ({ path }) => readFileSync(path, 'utf8') }),
  replace_in_file: tool({
    inputSchema: z.object({ path: text, old: text, new: text }),
    execute: (input) => {
      writeFileSync(input.path, readFileSync(input.path, 'utf8').replace(input.old, input.new))
      return 'replaced'
    },
  }),
  run_command: tool({
    inputSchema: z.object({ command: text }),
    execute: ({ command }) => execSync(command, { encoding: 'utf8' }),
  }),
}
const run = streamText({
  model, tools, prompt, maxRetries: 0, stopWhen: isStepCount(8), onError: ({ error }) => { throw error },
})
console.log(await run.text)
