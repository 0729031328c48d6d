"""Zone index, identity gate, in-force gate, relation to the boundary, and the decision."""
