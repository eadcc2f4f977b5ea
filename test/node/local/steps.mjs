// @ts-nocheck -- it runs in workerd, beside the bundle, whose types are not known here
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-return -- the same */
/**
 * The Worker as it is deployed, with its stores and its Durable Object wrapped: the service STEPS hears where a change is, and
 * may end the process there. It is the entry in place of index.js.
 */
import bundle, { Tenant as BundledTenant } from './index.js';

export * from './index.js';

/** Calls of the Durable Object that change what a head was taught. */
const CHANGES = ['teaching.teach', 'rebase.store', 'rebase.finish'];

const step = ({ STEPS }, name) => STEPS.fetch(`http://steps/${encodeURIComponent(name)}`);

/** Something of which some members are others. */
const changed = (whole, members) =>
  new Proxy(whole, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name];
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/** A target of the stub, or another of its members: a path of names is one call of RPC. */
const targetOf = (env, target, group) =>
  new Proxy(target, {
    get(_, method) {
      const call = (...args) => target[method](...args);
      const name = [group, method].map(String).join('.');
      if (!CHANGES.includes(name)) return call;
      return async (...args) => {
        await step(env, `before ${name}`);
        const answer = await call(...args);
        await step(env, `after ${name}`);
        return answer;
      };
    },
  });

const workers = (env) => ({
  ...env,
  HEADS: changed(env.HEADS, {
    async get(name, ...options) {
      const object = await env.HEADS.get(name, ...options);
      if (name.startsWith('images/')) await step(env, 'picture read');
      return object;
    },
  }),
  TENANTS: changed(env.TENANTS, {
    get(id) {
      const stub = env.TENANTS.get(id);
      return new Proxy(stub, { get: (_, group) => targetOf(env, stub[group], group) });
    },
  }),
});

export default { fetch: (request, env, context) => bundle.fetch(request, workers(env), context) };

const tenants = (env) => ({
  ...env,
  HEADS: changed(env.HEADS, {
    async put(...args) {
      await env.HEADS.put(...args);
      await step(env, 'object written');
    },
  }),
  POINTERS: changed(env.POINTERS, {
    async put(...args) {
      await step(env, 'before the pointer');
      await env.POINTERS.put(...args);
    },
  }),
});

export class Tenant extends BundledTenant {
  constructor(context, env) {
    // Set or deleted in the turn of each transaction, so that it is written with it.
    for (const name of ['setAlarm', 'deleteAlarm']) {
      const method = context.storage[name].bind(context.storage);
      context.storage[name] = async (...args) => {
        await method(...args);
        await step(env, 'rows written');
      };
    }
    super(context, tenants(env));
  }
}
