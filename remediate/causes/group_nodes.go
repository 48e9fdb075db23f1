package causes

// nodeCauses are about a node that is not ready or under pressure. Pressure comes first, because it can be why a node is not ready.
var nodeCauses = []Cause{nodeDiskFull, nodeMemoryShort, nodePIDsShort, nodeLeaves, nodeRuntimeDown, nodeNetworkDown, nodeSilent}
