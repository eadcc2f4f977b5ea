/** Every cap of the Worker in one place, units in the names. Pictures' own caps are in src/image/limits.ts. */
import type { EngineName } from '../src/backbone/choose.ts';
import type { Terms } from './isolate/leases.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A head of 1,000 classes on the 3,680 numbers of EfficientNet-Lite0's default code takes 15 MB, on MobileNetV3-Small's 2,208 nine. */
export const MAX_HEAD_BYTES = 16 * MIB;
/** The longest path of a route holds a label of 128 characters, at most nine each where they are escaped. Others are unknown. */
export const MAX_PATH_LENGTH = 2_048;
/** Custom Vision names up to 256 ids in a query, 37 characters each. */
export const MAX_QUERY_LENGTH = 16 * KIB;
/** Those ids as one parameter each, and a few more: checking a parameter takes some microseconds. */
export const MAX_QUERY_PARAMETERS = 300;
/** An API key has 80 characters; the admin secret may have more. */
export const MAX_CREDENTIAL_LENGTH = 1_024;
/** A multipart type has a boundary of 70 characters. */
export const MAX_CONTENT_TYPE_LENGTH = 1_024;
/** Bodies of the small JSON calls (keys, tenants). */
export const MAX_JSON_BYTES = 16 * KIB;
/** Pictures in one embed request: 32 codes as JSON numbers are about 1 MB. */
export const MAX_PICTURES_PER_REQUEST = 32;
/** All of a multipart body. */
export const MAX_MULTIPART_BYTES = 24 * MIB;
/** Headers of one part of it. */
export const MAX_PART_HEADER_BYTES = 4 * KIB;
/** A JSON body with a picture in base64: read as bytes, text, base64 and picture it takes nearly four times its size. */
export const MAX_JSON_PICTURE_BYTES = 8 * MIB;
export const JSON_PICTURE_MEMORY_FACTOR = 4;
/** A JSON body of numbers or of pictures, as other people's protocols have them; parsed, a number takes up to eight times its text. */
export const MAX_TENSOR_JSON_BYTES = 4 * MIB;
export const TENSOR_JSON_MEMORY_FACTOR = 8;
/** Custom Vision's batches: pictures in base64. Held as bytes, as text or pictures, and as base64. */
export const MAX_CUSTOM_VISION_JSON_BYTES = 12 * MIB;
export const CUSTOM_VISION_JSON_MEMORY_FACTOR = 3;
/** Lists, objects and fields of a JSON body or a line of a backup; most have a few hundred. */
export const MAX_JSON_PARTS = 100_000;
/** Of a body with tensors: each pixel of nested ones is a list, and 4 MiB hold no more of them. */
export const MAX_TENSOR_JSON_PARTS = 600_000;
/** What a description (labels, metrics) may take in a row; SQLite's rows hold 2 MB here. */
export const MAX_DESCRIPTION_BYTES = 1 * MIB;
/** Versions of an old database for which one alarm makes summaries; it reads and writes that many descriptions. */
export const OLD_VERSIONS_AT_ONCE = 20;

/**
 * What one isolate lends, to bodies, decoders and trainings together, and caches may fill as long as it is not lent. The rest of its
 * 128 MB is for what always stays: 24 for objects and the backbones' files; 6 to 16 for engines, by the backbones and sizes in use;
 * 6 for what decoders keep between pictures.
 */
export const MEMORY_BYTES = 82_000_000;
/** Of one tenant's requests together: two of the largest forms. Also the most that one takes whose body is no picture. */
export const TENANT_MEMORY_BYTES = 2 * (MAX_MULTIPART_BYTES + 2 * MIB);
/** What a request claims beside its body, for decoders: a PNG's takes 0.5 MB, the widest 2 MB. */
export const DECODER_BYTES = 2 * MIB;
/** Kept for requests with small bodies, so that most are answered beside any number of large ones, and beside the largest training. */
export const SMALL_REQUEST_RESERVE_BYTES = 4 * MIB;
export const SMALL_REQUEST_BYTES = 1 * MIB + DECODER_BYTES;
/**
 * Memory for a body is lent as it arrives: first so much, which a photo of 500×375 pixels fits into without being moved, then as
 * much again each time that it is full.
 */
export const FIRST_BODY_BUFFER_BYTES = 128 * KIB;
/** A body that took longer than this to arrive is given up, and its memory lent to the next. */
export const BODY_READ_TIMEOUT_MS = 30_000;
/**
 * A body that came more slowly than this for this long is given up too, and sooner while others wait for memory. A tenth of the slowest
 * mobile uplinks; a pause of a few seconds, in which a mobile network is left and found again, is allowed.
 */
export const MIN_BODY_BYTES_PER_S = 8 * KIB;
export const MAX_SLOW_MS = 5_000;
export const MAX_SLOW_CONTESTED_MS = 1_000;
/** How long a request waits for memory before it is turned away; one that still holds some after the second died. */
export const REQUEST_TERMS: Terms = { waitMs: 10_000, leaseMs: 60_000 };

/**
 * What is read and dropped of a body that was refused, before the answer: more than any body that is taken, so that whoever
 * sends one a little too large hears of it; and for how long.
 */
export const MAX_DRAINED_BYTES = 32 * MIB;
export const DRAIN_TIMEOUT_MS = 10_000;
/** Bytes of it that are read at once; dropping a body takes no more memory. */
export const DRAIN_BUFFER_BYTES = 16 * KIB;

/**
 * Parsing, decoding and the backbones' runs for one request, all its pictures together, estimated from headers and plans for
 * the worst case; milliseconds of a core of the machine in docs/performance.md. 32 photos of 12 megapixels as JPEG are about
 * 1,400 to decode. Running EfficientNet-Lite0 on them is charged 130 at 160 pixels, 250 at 224.
 */
export const MAX_REQUEST_WORK_MS = 2_000;
/**
 * Picoseconds of a backbone's multiply-add, by engine: in 32-bit floats MobileNetV3-Small takes 33 and EfficientNet-Lite0 35, on
 * 8 bits EfficientNet-Lite0 takes 18.
 */
export const MULTIPLY_ADD_PS: Readonly<Record<EngineName, number>> = { simd32: 40, simd16: 32, simd8: 20 };
/** Unpacked at once of a ZIP's entry: it becomes 4 MB at most. */
export const INFLATE_PIECE_BYTES = 4 * KIB;
/** Of a ZIP's entry: unpacking a byte, copying it and adding it to the checksum. */
export const INFLATE_BYTE_NS = 8;

/** A picture fetched from a URL. */
export const FETCH_TIMEOUT_MS = 10_000;
export const FETCH_MAX_REDIRECTS = 3;
export const FETCH_MAX_URL_LENGTH = 2_048;

/** Of a heat-map drawn over its picture: readable, and as a PNG a few hundred kB. */
export const OVERLAY_LONG_SIDE_PIXELS = 512;

/** Parsed heads kept by one isolate at most, in memory that is not lent: twenty of six classes on 3,680 numbers, or one of MAX_HEAD_BYTES. */
export const HEAD_CACHE_BYTES = 17 * MIB;
/** Fine-tuned tails ready to run; one of the deeper two thirds of the embedded backbone takes 3.6 MB. */
export const TAIL_CACHE_BYTES = 16 * MIB;

/**
 * A pointer younger than FRESH is used as it is, one younger than STALE is used while a new one is fetched, an older
 * one is waited for. With KV's own 30 s a change is in effect everywhere within 60 s.
 */
export const POINTER_FRESH_MS = 12_000;
export const POINTER_STALE_MS = 24_000;
export const POINTER_CACHE_ENTRIES = 5_000;
/** The same for keys: what revocation waits for. */
export const KEY_FRESH_MS = 12_000;
export const KEY_STALE_MS = 24_000;
export const KEY_CACHE_ENTRIES = 5_000;
/** Keys that no one has: kept briefly, so that guessing costs the stores little and a new key works soon. */
export const REFUSED_KEY_MS = 3_000;
/** Revocation is for ever; as long as KV elsewhere may still know better. */
export const REVOKED_KEY_MS = 60_000;
export const REFUSED_KEY_ENTRIES = 1_000;
/**
 * When a deleted tenant is swept once more: no key of it is accepted anywhere by then (KEY_STALE_MS and KV's 30 s),
 * and what was let in before has ended (BODY_READ_TIMEOUT_MS, and as long again).
 */
export const DELETION_SWEEP_MS = 120_000;
/** The least that KV allows. */
export const KV_CACHE_TTL_S = 30;
/** How long a request waits for a load that another request began before it loads for itself. */
export const SHARED_LOAD_TIMEOUT_MS = 3_000;

export const MAX_HEADS_PER_TENANT = 1_000;
/** Rows that deleted heads leave, so that their names go on counting versions (DeletedHeads). As many as there can be heads. */
export const MAX_DELETED_HEADS = 1_000;
/** Committed versions kept of one head; the oldest that isn't current makes room. The pointer lists them all. */
export const MAX_VERSIONS_PER_HEAD = 100;
/** Named versions are kept whatever comes after them. */
export const MAX_VERSION_NAMES = 20;
export const MAX_KEYS_PER_TENANT = 100;
/** Revoked keys, and those that others replaced, stay listed, the newest of them. */
export const MAX_REVOKED_KEYS = 100;

/** A reserved version that was not committed by then is gone, and its object deleted. */
export const RESERVATION_MS = 15 * 60_000;
/** A commit must come this much earlier, so that clocks that differ a little can't let it meet the deletion. */
export const RESERVATION_MARGIN_MS = 60_000;
/** Stores that failed are tried again after this, doubling each time up to the maximum. */
export const RETRY_FIRST_MS = 2_000;
export const RETRY_MAX_MS = 60_000;
/** Objects that R2 deletes in one call. */
export const R2_DELETE_BATCH = 1_000;

/**
 * What one head is taught with at the edge. A code of 3,680 numbers in half precision takes 7.4 kB, its row of the Gram matrix
 * up to 16 kB: training on 2,000 examples fits beside everything else in an isolate's 128 MB. More is the trainer's work.
 */
export const MAX_EXAMPLES_PER_HEAD = 2_000;
export const MAX_CLASSES_PER_TAUGHT_HEAD = 200;
/** 740 MB of codes; a Durable Object's database holds 10 GB. */
export const MAX_EXAMPLES_PER_TENANT = 100_000;
/** Of a tenant's examples in other code spaces than their heads': 740 MB at most. */
export const MAX_SECOND_CODES_PER_TENANT = 100_000;
/** Pictures that one step of a rebase reads anew. */
export const REBASE_PAGE = 32;
/** Of pictures that cannot be read, so many are named in an answer. */
export const NAMED_FAULTS = 50;
/** Of pictures that a tenant keeps; its examples at 200 kB each. */
export const MAX_KEPT_PICTURE_BYTES = 20_000 * MIB;
/** Rows that one transaction goes through where there may be as many as a tenant has examples: tens of milliseconds. */
export const SWEPT_AT_ONCE = 1_000;
/** Versions of a restore that was given up: each may have a description of MAX_DESCRIPTION_BYTES. */
export const RESTORED_VERSIONS_AT_ONCE = 20;
/** For a training to wait for memory. The longest takes a few seconds, a minute beside predictions; one that still holds memory then died. */
export const TRAINING_TERMS: Terms = { waitMs: 30_000, leaseMs: 180_000 };
/** How long a training lets predictions pass after each stretch of its own work, and what stores a version before each store. */
export const GIVING_WAY_MS = 4;
/** A prediction that is not answered after this has no right of way any more. */
export const PREDICTION_LEASE_MS = 1_000;
/** Trainings tried for one request before it gives up: each new try means that examples were forgotten meanwhile. */
export const MAX_TRAINING_ATTEMPTS = 8;

/** An Idempotency-Key is remembered this long, and at most so many of a tenant. */
export const IDEMPOTENCY_MS = 24 * 60 * 60_000;
export const MAX_IDEMPOTENCY_KEYS = 10_000;

/** Days of usage that are kept. */
export const USAGE_DAYS = 90;
/** How long an isolate counts before it tells a tenant's Durable Object; waitUntil allows 30 s. */
export const USAGE_FLUSH_MS = 5_000;

/** Requests of one tenant in one window, here or, with the rate-limit binding of wrangler.toml, in one location. */
export const MAX_REQUESTS_PER_WINDOW = 20_000;
export const RATE_WINDOW_MS = 60_000;
export const RATED_TENANTS = 10_000;

/** Keys without a valid check value that no cache knows, from one address, here or in one location: KEY_MISSES in wrangler.toml. */
export const MAX_KEY_MISSES_PER_WINDOW = 30;
export const KEY_MISS_WINDOW_MS = 60_000;
export const MISSING_ADDRESSES = 10_000;

/** Predictions of a head that wait for review; the ones whose label would help least make room. */
export const MAX_CAPTURES_PER_HEAD = 200;
/** A prediction is uncertain where the first label leads the second by less than this. */
export const UNCERTAIN_LEAD = 0.3;
/** Labels of a captured prediction that are kept. */
export const CAPTURED_LABELS = 5;

/** The header by which a request names what a canary's share is drawn by: a user's id, for example. */
export const ROUTING_KEY = 'routing-key';
export const MAX_ROUTING_KEY_LENGTH = 256;

/** Examples that a backup reads and writes at once. */
export const BACKUP_PAGE = 100;
/** The longest line holds a head file in base64: 21.4 MiB. */
export const MAX_BACKUP_LINE_BYTES = 22 * MIB;
/** Lists, objects and fields of one: a head's names, or the versions that are missing, are some hundreds; texts may hold such signs. */
export const MAX_BACKUP_LINE_PARTS = 4_000;
/** Read at once of it. */
export const BACKUP_PIECE_BYTES = 16 * KIB;
/** One that grows longer has memory lent for all of it; no example's is. */
export const SMALL_BACKUP_LINE_BYTES = 64 * KIB;
/** A line as pieces and joined, or joined and parsed, or its file in base64 and as bytes. */
export const BACKUP_LINE_MEMORY_FACTOR = 2;
