/** Share of the drain time in which requests and calls under way may end. The rest of it is for closing stores and files. */
export const DRAINING_SHARE = 0.9;
