/**
 * What EfficientNet-Lite0 costs at the edge beside MobileNetV3-Small: whole requests to the real Worker at each size. The
 * default size is the largest whose 500×375 request takes at most twice the MobileNet's CPU in the same run.
 */
import { demoHead } from '../demo-head.ts';
import { ratioGoal } from '../goals.ts';
import { type Goal, type Section, timingTable } from '../section.ts';
import { interleave } from '../measure.ts';
import { lite0, mobileNet, type Network } from '../networks.ts';
import { type Client, classifyLessUpload, startClient } from '../request-cost.ts';

const BASELINE = 'MobileNetV3-Small, 224 px';
const SIDES = [128, 160, 192, 224];
const DEFAULT_SIDE = 160;
/** Of CPU, in one request on Cloudflare's free plan. */
const FREE_PLAN_MS = 10;

export const edge: Section = {
  name: 'edge',
  title: 'Whole 500×375 requests to the real Worker: EfficientNet-Lite0 beside MobileNetV3-Small',
  async run({ pictures: [picture], quick }) {
    const networks: [string, Network][] = [
      [BASELINE, mobileNet()],
      ...SIDES.map((side): [string, Network] => [nameAt(side), lite0(side)]),
    ];
    const clients: Client[] = [];
    try {
      for (const [name, network] of networks) clients.push(await startClient(name, await demoHead(network)));
      const contenders = clients.map((client) => classifyLessUpload(client, picture));
      const rounds = quick ? { rounds: 4, times: 3 } : { rounds: 30, times: 6 };
      const timings = await interleave(contenders, rounds);
      const ours = timings.get(nameAt(DEFAULT_SIDE))?.cpu;
      const what = `Whole ${picture.name} request with Lite0 at ${DEFAULT_SIDE} px`;
      const within: Goal[] =
        ours === undefined
          ? []
          : [{ what: `${what} (free plan)`, atMost: FREE_PLAN_MS, measured: ours.median, unit: 'ms of CPU' }]; // prettier-ignore
      return {
        tables: [timingTable(timings, BASELINE)],
        notes: [
          'Decoding, codes and head: requests less as many with as many bytes that are no picture. Lite0 on 8 bits by pixel rules 2,',
          'the MobileNet in floats by rules 1; heads of six classes. Each in a workerd process of its own, taking turns.',
        ],
        goals: [
          ...ratioGoal(`${what}, of the MobileNet’s`, timings, [nameAt(DEFAULT_SIDE), BASELINE], 2),
          ...within,
        ],
        data: { timings },
      };
    } finally {
      for (const { worker } of clients) await worker.close();
    }
  },
};

function nameAt(side: number): string {
  return `EfficientNet-Lite0, ${side} px, 8 bits`;
}
