package causes

// placeCauses are about a pod that no node takes. Each explains another barrier, so their order does not matter.
var placeCauses = []Cause{noNodes, claimUnbound, nodeSelector, nodeTaint, nodesClosed, volumeZone, hostPortTaken, podTooLarge, outranked, insufficientCPU,
	insufficientMemory, insufficientRoom, podAntiAffinity, podAffinity, topologySpread}
