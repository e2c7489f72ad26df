/** The operator who resolves a failed refund, and the reason. */
export interface RefundDecision {
  operatorId: string;
  reason: string;
}
